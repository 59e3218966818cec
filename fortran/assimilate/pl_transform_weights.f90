!> One interface to all transforms: from whitened predicted observations to a matrix of weights.
!>
!> The deviations of the analysis members from the prior mean are the prior anomalies, as a row over the members, times
!> W. W holds the update of the mean; its columns sum to 0, which changes nothing as anomalies sum to 0. A rotation that
!> keeps the mean, an orthogonal matrix with (1, ..., 1) as an eigenvector, turns the analysis anomalies: W <- W L.
module pl_transform_weights
   use pl_error, only: error_input, error_type, raise_error
   use pl_gain_matrix, only: gain_matrix_type
   use pl_kinds, only: rk
   use pl_particle_weights, only: likelihood_gaussian, likelihood_laplace
   use pl_transform_etkf, only: kind_etkf, transform_type
   use pl_transform_knetf, only: etkf_matrix, hybrid_option_type, knetf_transform_type
   use pl_transform_netf, only: netf_transform_type
   use pl_transform_seik, only: root_symmetric, seik_transform_type
   implicit none (type, external)
   private
   public :: weights_denkf, weights_enkf, weights_etkf, weights_knetf, weights_netf, weights_option_type, &
             weights_seik, weights_transform_type

   integer, parameter :: weights_etkf = 1  !! symmetric square root (ESTKF: the same members)
   integer, parameter :: weights_enkf = 2  !! perturbed observations, given by the caller
   integer, parameter :: weights_denkf = 3 !! half the gain
   integer, parameter :: weights_seik = 4  !! subspace of N - 1 directions
   integer, parameter :: weights_netf = 5  !! nonlinear
   integer, parameter :: weights_knetf = 6 !! hybrid

   !> Which transform, and its options.
   type :: weights_option_type
      integer :: method = weights_etkf            !! one of the methods above
      integer :: likelihood = likelihood_gaussian !! NETF, hybrid: see pl_particle_weights
      integer :: root = root_symmetric            !! SEIK: see pl_transform_seik
      real(rk) :: least_effective = 0.0_rk        !! NETF: least effective sample size over N; 0: as it is [1]
      type(hybrid_option_type) :: hybrid          !! hybrid: see pl_transform_knetf
   end type weights_option_type

   !> Work space of one thread, used again for the next set of observations.
   type :: weights_transform_type
      integer :: nmember = 0                    !! members N
      type(weights_option_type) :: option       !! which transform
      real(rk), allocatable :: turned(:, :)     !! (N, N), weights after rotation [1]
      type(transform_type) :: etkf
      type(gain_matrix_type) :: gain
      type(seik_transform_type) :: seik
      type(netf_transform_type) :: netf
      type(knetf_transform_type) :: knetf
   contains
      procedure :: create => weights_create
      procedure :: compute => weights_compute
   end type weights_transform_type

contains

   !> Allocate the work space of the method.
   subroutine weights_create(self, option, nmember, error)
      class(weights_transform_type), intent(inout) :: self
      type(weights_option_type), intent(in) :: option     !! which transform
      integer, intent(in) :: nmember                      !! members, at least 2 [1]
      type(error_type), allocatable, intent(out) :: error !! unknown option, not enough memory
      self%nmember = nmember
      self%option = option
      allocate (self%turned(nmember, nmember))
      if (option%likelihood /= likelihood_gaussian .and. option%likelihood /= likelihood_laplace) then
         call raise_error(error, error_input, "unknown number of a likelihood; known are 1 and 2")
         return
      end if
      select case (option%method)
      case (weights_etkf)
         call self%etkf%create(kind_etkf, nmember, error)
      case (weights_enkf, weights_denkf)
         call self%gain%create(nmember)
      case (weights_seik)
         call self%seik%create(nmember, option%root, error)
      case (weights_netf)
         call self%netf%create(nmember, option%likelihood, option%least_effective)
      case (weights_knetf)
         call self%knetf%create(nmember, option%likelihood, option%hybrid, error)
      case default
         call raise_error(error, error_input, "unknown number of an ensemble transform; known are 1 to 6")
      end select
   end subroutine weights_create

   !> Weight matrix of one set of observations.
   subroutine weights_compute(self, nobs, anomalies, innovations, matrix, error, rotation)
      class(weights_transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                                 !! observations; without any, W is that of the prior
      real(rk), intent(in) :: anomalies(self%nmember, nobs)       !! S, inflated, over the error deviation [1]
      real(rk), intent(in) :: innovations(:, :)                   !! (1, nobs), or (nmember, nobs) perturbed for EnKF [1]
      real(rk), intent(out) :: matrix(self%nmember, self%nmember) !! W [1]
      type(error_type), allocatable, intent(out) :: error         !! no convergence, not enough memory
      real(rk), intent(in), optional :: rotation(:, :)            !! (N, N); SEIK: Omega, (N, N-1) [1]
      integer :: j
      if (nobs == 0) then
         matrix = 0.0_rk
         do j = 1, self%nmember
            matrix(j, j) = 1.0_rk
         end do
      else
         select case (self%option%method)
         case (weights_etkf)
            call etkf_matrix(self%etkf, nobs, 1.0_rk, anomalies, innovations(1, :), matrix, error)
         case (weights_enkf)
            call self%gain%enkf(nobs, anomalies, innovations, matrix, error)
         case (weights_denkf)
            call self%gain%denkf(nobs, anomalies, innovations, matrix, error)
         case (weights_seik)
            call self%seik%compute(nobs, anomalies, innovations, matrix, error, rotation)
         case (weights_netf)
            call self%netf%compute(nobs, anomalies, innovations(1, :), matrix, error)
         case (weights_knetf)
            call self%knetf%compute(nobs, anomalies, innovations(1, :), matrix, error)
         case default
            call raise_error(error, error_input, "unknown number of an ensemble transform; known are 1 to 6")
         end select
         if (allocated(error)) return
      end if
      do j = 1, self%nmember
         matrix(:, j) = matrix(:, j) - sum(matrix(:, j))/real(self%nmember, rk)
      end do
      if (present(rotation) .and. self%option%method /= weights_seik) call rotate(self, rotation, matrix)
   end subroutine weights_compute

   !> Turn the analysis anomalies.
   pure subroutine rotate(self, rotation, matrix)
      class(weights_transform_type), intent(inout) :: self
      real(rk), intent(in) :: rotation(:, :)                        !! (N, N) [1]
      real(rk), intent(inout) :: matrix(self%nmember, self%nmember) !! W [1]
      integer :: j, k
      do j = 1, self%nmember
         self%turned(:, j) = 0.0_rk
         do k = 1, self%nmember
            self%turned(:, j) = self%turned(:, j) + matrix(:, k)*rotation(k, j)
         end do
      end do
      matrix = self%turned
   end subroutine rotate

end module pl_transform_weights
