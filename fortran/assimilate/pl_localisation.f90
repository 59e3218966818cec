!> Which observations a local domain uses, and with what weight.
!>
!> Observations are found by place within the radius of each (pl_observation_search; those of similar radius have an index
!> of their own, so that one wide radius does not widen the search for all), or are given as pairs of domain and
!> observation with a distance that no coordinates give, such as that along a river. The weight falls with distance and,
!> in 2+1 dimensions, as the product with a second weight that falls with the difference in depth. Errors of
!> observations may be correlated within groups.
module pl_localisation
   use, intrinsic :: ieee_arithmetic, only: ieee_is_nan
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_localisation_weights, only: localisation_weight
   use pl_observation_search, only: observation_index_type
   implicit none (type, external)
   private
   public :: localisation_type

   real(rk), parameter :: ratio_of_class = 2.0_rk !! largest over smallest radius within a class
   integer, parameter :: most_classes = 16        !! the last one takes all that are wider

   !> Observations of similar radius.
   type :: radius_class_type
      type(observation_index_type) :: index
      integer, allocatable :: member(:) !! observations, in rising order
   end type radius_class_type

   !> Local domains, observations, and what links them.
   type :: localisation_type
      integer :: ndomain = 0                             !! local domains
      integer :: nobs = 0                                !! observations
      logical :: by_place = .true.                       !! whether coordinates are searched; else pairs are given
      logical :: has_depth = .false.                     !! whether weights fall with depth, too
      logical :: has_correlation = .false.               !! whether errors are correlated within groups
      real(rk) :: threshold = 0.0_rk                     !! correlation below which a pair has no weight; 0 for none [1]
      type(observation_index_type) :: index              !! all observations within the widest radius
      type(radius_class_type), allocatable :: class(:)   !! observations by radius
      real(rk), allocatable :: domain_places(:, :)       !! (ndim, ndomain) [m, any length, or degree]
      real(rk), allocatable :: observation_places(:, :)  !! (ndim, nobs) [as domain_places]
      real(rk), allocatable :: radius(:)                 !! (nobs), support radius [m or as domain_places]
      integer, allocatable :: taper(:)                   !! (nobs), see pl_localisation_weights
      integer, allocatable :: pair_start(:)              !! (ndomain + 1), first pair of a domain
      integer, allocatable :: pair_observation(:)        !! (npair)
      real(rk), allocatable :: pair_distance(:)          !! (npair) [as radius]
      real(rk), allocatable :: domain_depth(:)           !! (ndomain) [m]
      real(rk), allocatable :: observation_depth(:)      !! (nobs), NaN where an observation sees all depths alike [m]
      real(rk), allocatable :: depth_radius(:)           !! (nobs) [m]
      integer :: depth_taper = 0                         !! see pl_localisation_weights
      integer, allocatable :: error_group(:)             !! (nobs), errors are correlated within a group
      real(rk), allocatable :: error_length(:)           !! (nobs), length of their correlation [as radius]
   contains
      procedure :: create => localisation_create
      procedure :: create_pairs => localisation_create_pairs
      procedure :: set_depth => localisation_set_depth
      procedure :: set_errors => localisation_set_errors
      procedure :: find => localisation_find
      procedure :: find_place => localisation_find_place
      procedure :: error_correlation => localisation_error_correlation
   end type localisation_type

contains

   !> Link domains and observations by their places.
   subroutine localisation_create(self, observation_places, domain_places, radius, taper, metric, period, error)
      class(localisation_type), intent(inout) :: self
      real(rk), intent(in) :: observation_places(:, :)    !! (ndim, nobs) [m, any length, or degree]
      real(rk), intent(in) :: domain_places(:, :)         !! (ndim, ndomain) [as observation_places]
      real(rk), intent(in) :: radius(:)                   !! (nobs), support radius, may be infinite [m or as places]
      integer, intent(in) :: taper(:)                     !! (nobs), see pl_localisation_weights
      integer, intent(in) :: metric                       !! see pl_observation_search
      real(rk), intent(in) :: period(:)                   !! (ndim), 0 for an axis that is not periodic [as places]
      type(error_type), allocatable, intent(out) :: error !! not enough memory, or wrong coordinates
      self%by_place = .true.
      self%ndomain = size(domain_places, 2)
      self%nobs = size(observation_places, 2)
      self%domain_places = domain_places
      self%observation_places = observation_places
      self%radius = radius
      self%taper = taper
      self%depth_radius = radius ! not looked at before `set_depth`
      call self%index%create(observation_places, maxval(radius), metric, period, error)
      if (.not. allocated(error)) call sort_by_radius(self, metric, period, error)
   end subroutine localisation_create

   !> Give observations of similar radius an index of their own.
   subroutine sort_by_radius(self, metric, period, error)
      class(localisation_type), intent(inout) :: self
      integer, intent(in) :: metric                       !! see pl_observation_search
      real(rk), intent(in) :: period(:)                   !! (ndim) [as places]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      real(rk) :: bound(0:most_classes)
      integer :: i, k, n
      bound(0) = 0.0_rk
      bound(1) = ratio_of_class*min(minval(self%radius), huge(1.0_rk)/ratio_of_class)
      do k = 2, most_classes - 1
         bound(k) = ratio_of_class*min(bound(k - 1), huge(1.0_rk)/ratio_of_class)
      end do
      bound(most_classes) = maxval(self%radius)
      n = 0
      do k = 1, most_classes
         if (any(is_within(self%radius, k))) n = n + 1
      end do
      allocate (self%class(n))
      n = 0
      do k = 1, most_classes
         if (.not. any(is_within(self%radius, k))) cycle
         n = n + 1
         self%class(n)%member = pack([(i, i=1, self%nobs)], is_within(self%radius, k))
         associate (member => self%class(n)%member)
            call self%class(n)%index%create(self%observation_places(:, member), maxval(self%radius(member)), metric, &
                                            period, error)
         end associate
         if (allocated(error)) return
      end do

   contains

      !> Whether a radius belongs to a class.
      elemental logical function is_within(radius, k)
         real(rk), intent(in) :: radius !! [as places]
         integer, intent(in) :: k       !! class
         is_within = radius > bound(k - 1) .and. (radius <= bound(k) .or. k == most_classes)
      end function is_within

   end subroutine sort_by_radius

   !> Link domains and observations by a list of pairs, sorted by domain.
   subroutine localisation_create_pairs(self, start, observation, distance, radius, taper)
      class(localisation_type), intent(inout) :: self
      integer, intent(in) :: start(:)       !! (ndomain + 1), first pair of a domain
      integer, intent(in) :: observation(:) !! (npair)
      real(rk), intent(in) :: distance(:)   !! (npair) [m or any length]
      real(rk), intent(in) :: radius(:)     !! (nobs), support radius, may be infinite [as distance]
      integer, intent(in) :: taper(:)       !! (nobs), see pl_localisation_weights
      self%by_place = .false.
      self%ndomain = size(start) - 1
      self%nobs = size(radius)
      self%pair_start = start
      self%pair_observation = observation
      self%pair_distance = distance
      self%radius = radius
      self%taper = taper
      self%depth_radius = radius ! not looked at before `set_depth`
   end subroutine localisation_create_pairs

   !> Let weights fall with the difference in depth as well.
   subroutine localisation_set_depth(self, domain_depth, observation_depth, radius, taper)
      class(localisation_type), intent(inout) :: self
      real(rk), intent(in) :: domain_depth(:)      !! (ndomain) [m]
      real(rk), intent(in) :: observation_depth(:) !! (nobs), NaN for every depth [m]
      real(rk), intent(in) :: radius(:)            !! (nobs), support over depth [m]
      integer, intent(in) :: taper                 !! see pl_localisation_weights
      self%has_depth = .true.
      self%domain_depth = domain_depth
      self%observation_depth = observation_depth
      self%depth_radius = radius
      self%depth_taper = taper
   end subroutine localisation_set_depth

   !> Let errors of observations be correlated within groups, exp(-distance/length).
   subroutine localisation_set_errors(self, group, length, error)
      class(localisation_type), intent(inout) :: self
      integer, intent(in) :: group(:)                     !! (nobs), group of each observation
      real(rk), intent(in) :: length(:)                   !! (nobs), 0 for errors on their own [as radius]
      type(error_type), allocatable, intent(out) :: error !! observations without places
      if (.not. self%by_place) then
         call raise_error(error, error_input, "correlated errors need coordinates of the observations")
         return
      end if
      self%has_correlation = .true.
      self%error_group = group
      self%error_length = length
   end subroutine localisation_set_errors

   !> Observations of a domain with weights above zero.
   pure subroutine localisation_find(self, domain, found, weight, nfound)
      class(localisation_type), intent(in) :: self
      integer, intent(in) :: domain           !! local domain
      integer, intent(inout) :: found(:)      !! indices of the observations, room for all of them
      real(rk), intent(inout) :: weight(:)    !! factor on their inverse error variance [1]
      integer, intent(out) :: nfound          !! how many
      integer :: k, n, one
      if (self%by_place) then
         n = 0
         do k = 1, size(self%class)
            associate (its => self%class(k))
               call its%index%search(self%domain_places(:, domain), found(n + 1:), weight(n + 1:), one)
               found(n + 1:n + one) = its%member(found(n + 1:n + one))
            end associate
            n = n + one
         end do
      else
         associate (first => self%pair_start(domain), last => self%pair_start(domain + 1) - 1)
            n = last - first + 1
            found(:n) = self%pair_observation(first:last)
            weight(:n) = self%pair_distance(first:last)
         end associate
      end if
      if (self%has_depth) then
         call weigh(self, n, found, weight, nfound, self%domain_depth(domain))
      else
         call weigh(self, n, found, weight, nfound)
      end if
   end subroutine localisation_find

   !> Observations near an observation, itself among them; without depth.
   pure subroutine localisation_find_place(self, observation, found, weight, nfound)
      class(localisation_type), intent(in) :: self
      integer, intent(in) :: observation      !! the observation in the middle
      integer, intent(inout) :: found(:)      !! indices of the observations, room for all of them
      real(rk), intent(inout) :: weight(:)    !! their distances [as radius]
      integer, intent(out) :: nfound          !! how many
      call self%index%search(self%observation_places(:, observation), found, weight, nfound)
   end subroutine localisation_find_place

   !> Replace distances by weights and drop those without any.
   pure subroutine weigh(self, n, found, weight, nfound, depth)
      class(localisation_type), intent(in) :: self
      integer, intent(in) :: n                !! observations in the list
      integer, intent(inout) :: found(:)      !! their indices
      real(rk), intent(inout) :: weight(:)    !! distances in, weights out [1]
      integer, intent(out) :: nfound          !! how many are left
      real(rk), intent(in), optional :: depth !! of the domain [m]
      real(rk) :: w
      integer :: i, k
      nfound = 0
      do i = 1, n
         k = found(i)
         w = localisation_weight(weight(i), self%radius(k), self%taper(k))
         if (present(depth)) then
            if (.not. ieee_is_nan(self%observation_depth(k))) w = w*localisation_weight( &
               abs(self%observation_depth(k) - depth), self%depth_radius(k), self%depth_taper)
         end if
         if (w <= 0.0_rk) cycle
         nfound = nfound + 1
         found(nfound) = k
         weight(nfound) = w
      end do
   end subroutine weigh

   !> Correlation of the errors of two observations.
   pure real(rk) function localisation_error_correlation(self, i, j) result(correlation)
      class(localisation_type), intent(in) :: self
      integer, intent(in) :: i, j !! observations
      correlation = 0.0_rk
      if (i == j) correlation = 1.0_rk
      if (i == j .or. self%error_group(i) /= self%error_group(j)) return
      if (.not. self%error_length(i) > 0.0_rk) return
      correlation = exp(-self%index%distance(self%observation_places(:, i), self%observation_places(:, j))/ &
                        self%error_length(i))
   end function localisation_error_correlation

end module pl_localisation
