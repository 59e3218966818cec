!> Nonlinear ensemble transform filter: mean and covariance of the weighted ensemble, without resampling.
!>
!> Toedter and Ahrens (2015), Mon. Weather Rev. 143, 1347-1367. With weights w from the likelihood of the
!> observations, the analysis mean is that of the weighted members and the anomalies are the prior ones times
!> (N (diag(w) - w w^T))^(1/2), so that their mean square is the weighted covariance.
module pl_transform_netf
   use pl_error, only: error_type
   use pl_kinds, only: rk
   use pl_particle_weights, only: likelihood_gaussian, log_likelihoods, normalise_weights, tempering_exponent
   use pl_weight_root, only: weight_root_type
   implicit none (type, external)
   private
   public :: netf_transform_type

   !> Transform of one set of observations; the work space is used again for the next one.
   type :: netf_transform_type
      integer :: nmember = 0                      !! members N
      integer :: likelihood = likelihood_gaussian !! see pl_particle_weights
      real(rk) :: least_effective = 0.0_rk        !! least effective sample size over N; the likelihood is flattened [1]
      real(rk) :: exponent = 1.0_rk               !! power of the likelihood that was used [1]
      real(rk), allocatable :: logs(:)            !! logarithms of the likelihoods, the largest is 0 [1]
      real(rk), allocatable :: weights(:)         !! weights of the members [1]
      type(weight_root_type) :: root              !! symmetric root of diag(w) - w w^T
   contains
      procedure :: create => netf_create
      procedure :: compute => netf_compute
      procedure :: weigh => netf_weigh
      procedure :: transform => netf_transform
   end type netf_transform_type

contains

   !> Allocate work space and set the options.
   subroutine netf_create(self, nmember, likelihood, least_effective)
      class(netf_transform_type), intent(inout) :: self
      integer, intent(in) :: nmember          !! members [1]
      integer, intent(in) :: likelihood       !! see pl_particle_weights
      real(rk), intent(in) :: least_effective !! least effective sample size over N, 0 to 1; 0: as it is [1]
      self%nmember = nmember
      self%likelihood = likelihood
      self%least_effective = least_effective
      allocate (self%logs(nmember), self%weights(nmember))
      call self%root%create(nmember)
   end subroutine netf_create

   !> Weight matrix of one set of observations.
   subroutine netf_compute(self, nobs, anomalies, innovations, matrix, error)
      class(netf_transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                                 !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs)       !! S, over the error deviation [1]
      real(rk), intent(in) :: innovations(nobs)                   !! over the error deviation [1]
      real(rk), intent(out) :: matrix(self%nmember, self%nmember) !! W; its columns sum to 1 [1]
      type(error_type), allocatable, intent(out) :: error         !! a root without solution
      call self%weigh(nobs, anomalies, innovations)
      call self%transform(1.0_rk, matrix, error)
   end subroutine netf_compute

   !> Logarithms of the likelihoods.
   pure subroutine netf_weigh(self, nobs, anomalies, innovations)
      class(netf_transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                           !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs) !! S, over the error deviation [1]
      real(rk), intent(in) :: innovations(nobs)             !! over the error deviation [1]
      call log_likelihoods(self%likelihood, self%nmember, nobs, anomalies, innovations, self%logs)
   end subroutine netf_weigh

   !> Weight matrix for a power of the likelihood; the least effective sample size may take a smaller one.
   subroutine netf_transform(self, exponent, matrix, error)
      class(netf_transform_type), intent(inout) :: self
      real(rk), intent(in) :: exponent                            !! power of the likelihood, 0 to 1 [1]
      real(rk), intent(out) :: matrix(self%nmember, self%nmember) !! W; its columns sum to 1 [1]
      type(error_type), allocatable, intent(out) :: error         !! a root without solution
      real(rk) :: factor
      integer :: j
      self%exponent = exponent
      if (self%least_effective > 0.0_rk) then
         self%logs = exponent*self%logs
         call tempering_exponent(self%nmember, self%least_effective, self%logs, self%weights, factor)
         self%exponent = exponent*factor
      else
         call normalise_weights(self%nmember, exponent, self%logs, self%weights)
      end if
      call self%root%compute(self%weights, matrix, error)
      if (allocated(error)) return
      factor = sqrt(real(self%nmember, rk))
      do j = 1, self%nmember
         matrix(:, j) = factor*matrix(:, j) + self%weights
      end do
   end subroutine netf_transform

end module pl_transform_netf
