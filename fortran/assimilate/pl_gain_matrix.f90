!> Kalman gain in the space of members, and the weight matrices that are made of it.
!>
!> With S = R^(-1/2) Y' (members x observations) and M = (N-1) I + S S^T, the gain takes a vector v of whitened
!> observations to the weights S (S^T S + (N-1) I)^-1 v = M^-1 S v of the members, and the prior anomalies to the share
!> K = S (S^T S + (N-1) I)^-1 S^T = I - (N-1) M^-1 of them that the observations see. Both come from the eigenvalues of
!> the smaller of the two Gram matrices, as in pl_transform_etkf.
!>
!>     EnKF    W_j = e_j + M^-1 S (d + e_j - s_j)   Burgers et al. 1998, Mon. Weather Rev. 126, 1719-1724
!>     DEnKF   W = I - K/2, mean as all             Sakov and Oke 2008, Tellus A 60, 361-371
module pl_gain_matrix
   use pl_error, only: error_type
   use pl_ensemble_block, only: multiply_add_transposed
   use pl_kinds, only: rk
   use pl_symmetric_eigen, only: eigen_type, vector_lanes
   use pl_transform_etkf, only: gram_members, gram_observations, spectral_factors
   implicit none (type, external)
   private
   public :: gain_matrix_type

   !> Gain of one set of observations; the work space is used again for the next one.
   type :: gain_matrix_type
      integer :: nmember = 0                   !! members N
      logical :: by_observation = .false.      !! whether the Gram matrix is that of the observations
      real(rk), allocatable :: factor(:)       !! 1/(N-1+l) of the eigenvalues l [1]
      real(rk), allocatable :: root_factor(:)  !! that of the square root, not used here [1]
      real(rk), allocatable :: block(:, :)     !! (vector_lanes, order), vectors in the space of the Gram matrix
      real(rk), allocatable :: members(:, :)   !! (vector_lanes, N), vectors in the space of members
      type(eigen_type) :: eigen                !! the factorised Gram matrix
   contains
      procedure :: create => gain_create
      procedure :: factorise => gain_factorise
      procedure :: weigh => gain_weigh
      procedure :: seen_share => gain_seen_share
      procedure :: denkf => gain_denkf
      procedure :: enkf => gain_enkf
   end type gain_matrix_type

contains

   !> Allocate work space.
   subroutine gain_create(self, nmember)
      class(gain_matrix_type), intent(inout) :: self
      integer, intent(in) :: nmember !! members [1]
      self%nmember = nmember
      allocate (self%factor(nmember), self%root_factor(nmember), self%block(vector_lanes, nmember), &
                self%members(vector_lanes, nmember))
      call self%eigen%create(nmember)
   end subroutine gain_create

   !> Factorise the Gram matrix of one set of observations.
   subroutine gain_factorise(self, nobs, anomalies, error)
      class(gain_matrix_type), intent(inout) :: self
      integer, intent(in) :: nobs                           !! observations, at least 1 [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs) !! S [1]
      type(error_type), allocatable, intent(out) :: error   !! the eigenvalue iteration did not converge
      integer :: n
      self%by_observation = nobs < self%nmember
      n = min(nobs, self%nmember)
      if (self%by_observation) then
         call gram_observations(self%nmember, nobs, anomalies, self%eigen%matrix)
      else
         call gram_members(self%nmember, nobs, anomalies, self%eigen%matrix)
      end if
      call self%eigen%factorise(n, error)
      if (allocated(error)) return
      call spectral_factors(self%nmember, self%by_observation, self%eigen%values(:n), self%factor(:n), &
                            self%root_factor(:n))
   end subroutine gain_factorise

   !> Weights M^-1 S v of the members for some vectors of whitened observations.
   subroutine gain_weigh(self, nobs, anomalies, nvector, vectors, weights)
      class(gain_matrix_type), intent(inout) :: self
      integer, intent(in) :: nobs                               !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs)     !! S, as factorised [1]
      integer, intent(in) :: nvector                            !! vectors [1]
      real(rk), intent(in) :: vectors(nvector, nobs)            !! whitened observations [1]
      real(rk), intent(out) :: weights(self%nmember, nvector)   !! weights of the members [1]
      integer :: first, i, lane, n, used
      n = self%eigen%n
      do first = 1, nvector, vector_lanes
         used = min(vector_lanes, nvector - first + 1)
         self%block(:, :n) = 0.0_rk
         if (self%by_observation) then
            self%block(:used, :n) = vectors(first:first + used - 1, :)
         else
            do i = 1, nobs
               do lane = 1, used
                  self%block(lane, :n) = self%block(lane, :n) + anomalies(:, i)*vectors(first + lane - 1, i)
               end do
            end do
         end if
         call to_members(self, nobs, anomalies, .false.)
         weights(:, first:first + used - 1) = transpose(self%members(:used, :))
      end do
   end subroutine gain_weigh

   !> The share K of the prior anomalies that the observations see.
   subroutine gain_seen_share(self, nobs, anomalies, share)
      class(gain_matrix_type), intent(inout) :: self
      integer, intent(in) :: nobs                                !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs)      !! S, as factorised [1]
      real(rk), intent(out) :: share(self%nmember, self%nmember) !! K [1]
      integer :: first, lane, n, used
      n = self%eigen%n
      do first = 1, self%nmember, vector_lanes
         used = min(vector_lanes, self%nmember - first + 1)
         self%block(:, :n) = 0.0_rk
         do lane = 1, used
            if (self%by_observation) then
               self%block(lane, :n) = anomalies(first + lane - 1, :)
            else
               self%block(lane, first + lane - 1) = 1.0_rk
            end if
         end do
         call to_members(self, nobs, anomalies, .not. self%by_observation)
         share(:, first:first + used - 1) = transpose(self%members(:used, :))
      end do
   end subroutine gain_seen_share

   !> Apply the function of the eigenvalues to the block and put the result into the space of members.
   subroutine to_members(self, nobs, anomalies, times_gram)
      class(gain_matrix_type), intent(inout) :: self
      integer, intent(in) :: nobs                           !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs) !! S [1]
      logical, intent(in) :: times_gram                     !! whether the function is l/(N-1+l), else 1/(N-1+l)
      integer :: i, n
      n = self%eigen%n
      call self%eigen%project(self%block(:, :n))
      do i = 1, n
         self%block(:, i) = self%factor(i)*self%block(:, i)
         if (times_gram) self%block(:, i) = self%eigen%values(i)*self%block(:, i)
      end do
      call self%eigen%expand(self%block(:, :n))
      if (self%by_observation) then
         self%members = 0.0_rk
         call multiply_add_transposed(self%nmember, n, self%block(:, :n), anomalies, self%members)
      else
         self%members = self%block
      end if
   end subroutine to_members

   !> Weight matrix of the deterministic ensemble Kalman filter: anomalies move by half the gain.
   subroutine gain_denkf(self, nobs, anomalies, innovations, matrix, error)
      class(gain_matrix_type), intent(inout) :: self
      integer, intent(in) :: nobs                                 !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs)       !! S, over the error deviation [1]
      real(rk), intent(in) :: innovations(1, nobs)                !! over the error deviation [1]
      real(rk), intent(out) :: matrix(self%nmember, self%nmember) !! W [1]
      type(error_type), allocatable, intent(out) :: error         !! no convergence
      real(rk) :: mean(self%nmember, 1)
      integer :: j
      call self%factorise(nobs, anomalies, error)
      if (allocated(error)) return
      call self%seen_share(nobs, anomalies, matrix)
      call self%weigh(nobs, anomalies, 1, innovations, mean)
      do j = 1, self%nmember
         matrix(:, j) = mean(:, 1) - 0.5_rk*matrix(:, j)
         matrix(j, j) = matrix(j, j) + 1.0_rk
      end do
   end subroutine gain_denkf

   !> Weight matrix of the ensemble Kalman filter with perturbed observations.
   subroutine gain_enkf(self, nobs, anomalies, innovations, matrix, error)
      class(gain_matrix_type), intent(inout) :: self
      integer, intent(in) :: nobs                                  !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs)        !! S, over the error deviation [1]
      real(rk), intent(in) :: innovations(self%nmember, nobs)      !! perturbed, of each member, over the deviation [1]
      real(rk), intent(out) :: matrix(self%nmember, self%nmember)  !! W [1]
      type(error_type), allocatable, intent(out) :: error          !! no convergence
      integer :: j
      call self%factorise(nobs, anomalies, error)
      if (allocated(error)) return
      call self%weigh(nobs, anomalies, self%nmember, innovations, matrix)
      do j = 1, self%nmember
         matrix(j, j) = matrix(j, j) + 1.0_rk
      end do
   end subroutine gain_enkf

end module pl_gain_matrix
