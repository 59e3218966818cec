!> Global filters: one update for the whole state, written as x + (x'^T A) B.
!>
!> A is S = R^(-1/2) Y' or the identity, B a right factor computed from the predicted observations alone, so that the
!> result for a state element does not depend on how the state is split. ETKF, DEnKF: see pl_transform_etkf. EnKF with
!> perturbed observations (Burgers et al. 1998, Mon. Weather Rev. 126, 1719-1724) in the space of members or of
!> observations, whichever is smaller (Evensen 2003, Ocean Dyn. 53, 343-367; identity of Woodbury): no system of the
!> order of the observations is solved where they outnumber the members. Any other transform comes as its weights W, the
!> matrix of x'^T W.
module pl_transform_global
   use pl_ensemble_block, only: join_block, multiply_add, relax_to_prior, rotate_block, split_block
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_symmetric_eigen, only: eigen_type, vector_lanes
   use pl_transform_etkf, only: gram_members, gram_observations, kind_denkf, kind_enkf, kind_etkf, spectral_factors
   implicit none (type, external)
   private
   public :: global_option_type, global_transform_type

   !> What else happens to the members.
   type :: global_option_type
      real(rk) :: inflation = 1.0_rk          !! factor on the prior anomalies [1]
      real(rk) :: relaxation = 0.0_rk         !! relaxation to the prior, 0 to 1 [1]
      logical :: to_perturbations = .false.   !! relax to the prior anomalies; else to the prior spread
      real(rk), allocatable :: rotation(:, :) !! (nmember, nmember), mixes the anomalies [1]
   end type global_option_type

   !> The update of a global filter.
   type :: global_transform_type
      integer :: nmember = 0                !! members N
      logical :: by_observation = .false.   !! whether A is S; else A is the identity
      real(rk), allocatable :: left(:, :)   !! A, (nmember, nobs) where by_observation
      real(rk), allocatable :: right(:, :)  !! B, (order, nmember)
   contains
      procedure :: create => transform_create
      procedure :: take_weights => transform_take_weights
      procedure :: apply => transform_apply
   end type global_transform_type

contains

   !> Compute the factors from the predicted observations.
   subroutine transform_create(self, method, anomalies, innovations, error)
      class(global_transform_type), intent(inout) :: self
      integer, intent(in) :: method                       !! a kind of pl_transform_etkf
      real(rk), intent(in) :: anomalies(:, :)             !! S, (nmember, nobs), inflated, whitened [1]
      real(rk), intent(in) :: innovations(:, :)           !! whitened: (nmember, nobs) for EnKF, (1, nobs) for others [1]
      type(error_type), allocatable, intent(out) :: error !! unknown method, not enough memory, no convergence
      type(eigen_type) :: eigen
      real(rk), allocatable :: gain(:), shrink(:)
      integer :: n, nobs, stat
      self%nmember = size(anomalies, 1)
      nobs = size(anomalies, 2)
      self%by_observation = nobs < self%nmember
      n = min(nobs, self%nmember)
      allocate (gain(n), shrink(n))
      allocate (self%right(n, self%nmember), stat=stat)
      if (stat == 0 .and. self%by_observation) allocate (self%left(self%nmember, nobs), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the global analysis; use fewer members")
         return
      end if
      call eigen%create(n)
      if (self%by_observation) then
         self%left = anomalies
         call gram_observations(self%nmember, nobs, anomalies, eigen%matrix)
      else
         call gram_members(self%nmember, nobs, anomalies, eigen%matrix)
      end if
      call eigen%factorise(n, error)
      if (allocated(error)) return
      call spectral_factors(self%nmember, self%by_observation, eigen%values, gain, shrink)
      select case (method)
      case (kind_etkf)
         call right_factor_etkf(self, eigen, anomalies, innovations, gain, shrink)
      case (kind_denkf)
         shrink = -0.5_rk*gain
         if (.not. self%by_observation) shrink = shrink*eigen%values
         call right_factor_etkf(self, eigen, anomalies, innovations, gain, shrink)
      case (kind_enkf)
         call right_factor_enkf(self, eigen, anomalies, innovations, gain)
      case default
         call raise_error(error, error_input, "unknown number of a global filter")
      end select
   end subroutine transform_create

   !> Take the update from weights that somebody else computed.
   subroutine transform_take_weights(self, weights)
      class(global_transform_type), intent(inout) :: self
      real(rk), intent(in) :: weights(:, :) !! W, (nmember, nmember): deviations from the prior mean are x'^T W [1]
      integer :: k
      self%nmember = size(weights, 1)
      self%by_observation = .false.
      self%right = weights
      do k = 1, self%nmember ! x'^T W = x'^T + x'^T (W - I)
         self%right(k, k) = self%right(k, k) - 1.0_rk
      end do
   end subroutine transform_take_weights

   !> Right factor of the ETKF: the gain times the innovation for every member, plus the correction of its anomaly.
   subroutine right_factor_etkf(self, eigen, anomalies, innovations, gain, shrink)
      class(global_transform_type), intent(inout) :: self
      type(eigen_type), intent(in) :: eigen         !! factorised Gram matrix
      real(rk), intent(in) :: anomalies(:, :)       !! S, (nmember, nobs) [1]
      real(rk), intent(in) :: innovations(:, :)     !! (1, nobs) [1]
      real(rk), intent(in) :: gain(:), shrink(:)    !! functions of the eigenvalues [1]
      real(rk) :: block(vector_lanes, eigen%n), mean(eigen%n)
      integer :: first, i, lane, n
      n = eigen%n
      block = 0.0_rk
      if (self%by_observation) then
         block(1, :) = innovations(1, :)
      else
         do i = 1, size(innovations, 2)
            block(1, :) = block(1, :) + anomalies(:, i)*innovations(1, i)
         end do
      end if
      call spectral_apply(eigen, gain, block)
      mean = block(1, :)
      do first = 1, self%nmember, vector_lanes
         block = 0.0_rk
         do lane = 1, min(vector_lanes, self%nmember - first + 1)
            if (self%by_observation) then
               block(lane, :) = anomalies(first + lane - 1, :)
            else
               block(lane, first + lane - 1) = 1.0_rk
            end if
         end do
         call spectral_apply(eigen, shrink, block)
         do lane = 1, min(vector_lanes, self%nmember - first + 1)
            self%right(:, first + lane - 1) = block(lane, :) + mean
         end do
      end do
   end subroutine right_factor_etkf

   !> Right factor of the EnKF: the gain times each member's perturbed innovation.
   subroutine right_factor_enkf(self, eigen, anomalies, innovations, gain)
      class(global_transform_type), intent(inout) :: self
      type(eigen_type), intent(in) :: eigen         !! factorised Gram matrix
      real(rk), intent(in) :: anomalies(:, :)       !! S, (nmember, nobs) [1]
      real(rk), intent(in) :: innovations(:, :)     !! (nmember, nobs) [1]
      real(rk), intent(in) :: gain(:)               !! function of the eigenvalues [1]
      real(rk) :: block(vector_lanes, eigen%n)
      integer :: first, i, lane
      do first = 1, self%nmember, vector_lanes
         block = 0.0_rk
         do lane = 1, min(vector_lanes, self%nmember - first + 1)
            if (self%by_observation) then
               block(lane, :) = innovations(first + lane - 1, :)
            else
               do i = 1, size(innovations, 2)
                  block(lane, :) = block(lane, :) + anomalies(:, i)*innovations(first + lane - 1, i)
               end do
            end if
         end do
         call spectral_apply(eigen, gain, block)
         do lane = 1, min(vector_lanes, self%nmember - first + 1)
            self%right(:, first + lane - 1) = block(lane, :)
         end do
      end do
   end subroutine right_factor_enkf

   !> Replace each vector of a block by U diag(factor) U^T x.
   pure subroutine spectral_apply(eigen, factor, block)
      type(eigen_type), intent(in) :: eigen                    !! factorised Gram matrix
      real(rk), intent(in) :: factor(:)                        !! function of the eigenvalues [1]
      real(rk), intent(inout) :: block(vector_lanes, eigen%n)  !! vectors, one per lane [any unit]
      integer :: i
      call eigen%project(block)
      do i = 1, eigen%n
         block(:, i) = factor(i)*block(:, i)
      end do
      call eigen%expand(block)
   end subroutine spectral_apply

   !> Update a state or a share of it.
   subroutine transform_apply(self, option, nthread, ensemble)
      class(global_transform_type), intent(in) :: self
      type(global_option_type), intent(in) :: option
      integer, intent(in) :: nthread            !! OpenMP threads [1]
      real(rk), intent(inout) :: ensemble(:, :) !! (nmember, nstate), prior in, analysis out [unit of the state]
      integer :: first
      integer :: last
      !$omp parallel do num_threads(nthread) default(none) private(last) schedule(static) &
      !$omp shared(self, option, ensemble)
      do first = 1, size(ensemble, 2), vector_lanes
         last = min(first + vector_lanes - 1, size(ensemble, 2))
         call update_block(self, option, ensemble(:, first:last))
      end do
      !$omp end parallel do
   end subroutine transform_apply

   !> Update up to `vector_lanes` state elements.
   subroutine update_block(self, option, ensemble)
      class(global_transform_type), intent(in) :: self
      type(global_option_type), intent(in) :: option
      real(rk), intent(inout) :: ensemble(:, :) !! (nmember, up to vector_lanes) [unit of the state]
      real(rk) :: block(vector_lanes, self%nmember), projected(vector_lanes, size(self%right, 1))
      real(rk) :: mean(vector_lanes), square(vector_lanes)
      real(rk), allocatable :: prior(:, :)
      integer :: lane
      do lane = 1, vector_lanes ! lanes beyond the last element repeat it and are not stored
         block(lane, :) = ensemble(:, min(lane, size(ensemble, 2)))
      end do
      call split_block(self%nmember, option%inflation, block, mean, square)
      if (option%to_perturbations .and. option%relaxation > 0.0_rk) prior = block/option%inflation
      if (self%by_observation) then
         projected = 0.0_rk
         call multiply_add(self%nmember, size(self%left, 2), block, self%left, projected)
      else
         projected = block
      end if
      call multiply_add(size(self%right, 1), self%nmember, projected, self%right, block)
      if (allocated(prior)) call relax_to_prior(self%nmember, option%relaxation, prior, block)
      if (allocated(option%rotation)) call rotate_block(self%nmember, option%rotation, block)
      call join_block(self%nmember, merge(0.0_rk, option%relaxation, option%to_perturbations), mean, square, block)
      do lane = 1, size(ensemble, 2)
         ensemble(:, lane) = block(lane, :)
      end do
   end subroutine update_block

end module pl_transform_global
